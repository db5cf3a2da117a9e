"""The pages, and the program that makes one of them from the code.

reference    docs/reference.md: `python -m docs.reference`
layout       paragraphs, tables, links
"""
