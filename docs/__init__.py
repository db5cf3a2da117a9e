"""The pages, and the program that makes one of them from the code.

reference    docs/reference.md: `python -m docs.reference`
commands     its part about the command line
layout       paragraphs, tables, links
"""
