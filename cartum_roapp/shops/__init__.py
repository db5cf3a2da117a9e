"""Settings of shops and accounts: declared once, checked against both systems, proposed, read from files and written.

    shop, account, shop_login  each field: what it is called, how it may look, and which list it is chosen from
    setting, rules, addresses, currency_names, shop_key  how a field is declared and checked
    problems, refused  what is wrong with what a person filled in
    configs      checked values → the shop and the account as the core takes them
    draft        a shop as a person wants it: its values, what is wrong with them, what differs from the stored shop
    form         the same as fields of a page
    shop_file    SLUG.yaml → values
    written      SLUG.yaml to fill in, or of a connected shop
    lists        what the shop and the account offer: statuses, languages, locations, employees …
    choices      the same as what a setting may be chosen from
    proposals    what a person would most likely choose
    access       can we get in? what kind of refusal is it?
    matching     do the values name things that exist on both sides?
    examine      all of that in order, everything wrong at once
    checklist    an examination as a list for people
    status_match one status that a person matches afterwards

Blocks, forms, files and the command line follow from the declarations. Free of Prefect; `blocks/` stores the result.
"""

from cartum_roapp.shops.account import AccountConfig
from cartum_roapp.shops.shop import Identifier, ShopConfig, ShopSettings
from cartum_roapp.shops.shop_key import shop_key

__all__ = ["AccountConfig", "Identifier", "ShopConfig", "ShopSettings", "shop_key"]
