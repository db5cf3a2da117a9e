"""What people look at to see how a shop is doing, and what its runs did.

facts     its state as one document, and in words: label and text, for a page or a terminal
tables    what a run did, or a dry run would do, as sentences and tables
month     a month of its orders as bars
planned   when the next run of each shop begins
"""
