"""What people look at to see how a shop is doing.

facts     its state as one document, and in words: label and text, for a page, a terminal, a file
picture   a month of its orders, lag and calls as a picture
html      both as one file that needs no network
"""
