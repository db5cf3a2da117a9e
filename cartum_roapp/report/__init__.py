"""What people look at to see how a shop is doing.

facts     its state as one document, and in words: label and text, for a page or a terminal
month     a month of its orders as bars
"""
