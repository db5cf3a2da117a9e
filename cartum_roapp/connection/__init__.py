"""Connecting a shop: what a person fills in, against both systems.

    draft       a shop as a person wants it: its values, what is wrong with them, what differs from the stored shop
    shop_file   SLUG.yaml → values
    written     SLUG.yaml to fill in, or of a connected shop
    lists       what the shop and the account offer: statuses, languages, locations, employees …
    choices     the same as what a setting may be chosen from
    access      can we get in? what kind of refusal is it?
    matching    do the values name things that exist on both sides?
    examine     all of that in order, everything wrong at once
    checklist   an examination as a list for people
    proposals   what a person would most likely choose
    status_match one status that a person matches afterwards
    configs     checked values → the shop and the account as the core takes them

How each value may look is declared in `cartum_roapp.config`. Free of Prefect; `blocks/` stores the result.
"""
