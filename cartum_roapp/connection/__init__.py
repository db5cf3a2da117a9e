"""Connecting a shop: what a person fills in, checked field by field, then against both systems.

    problems    one line per field: what is wrong with the value, and the fix
    rules       how each value may look, without asking anybody; the same rules for files, commands and blocks
    addresses   the rules for the shop's and the account's URL
    shop_file   FILE.yaml → values
    lists       what the shop and the account offer: statuses, languages, locations, employees …
    access      can we get in? what kind of refusal is it?
    matching    do the values name things that exist on both sides?
    examine     all of that in order, everything wrong at once
    proposals   what a person would most likely choose
    template    a commented FILE.yaml with what was found
    questions   what a form asks, with the choices that there are

Free of Prefect; `blocks/` stores the result.
"""
