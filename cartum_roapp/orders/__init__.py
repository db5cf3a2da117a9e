"""Checks raw orders of a Cartum shop row by row, and defines the typed frames they become. Free of HTTP and Prefect.

rows, bad_rows       one order as a model; a row that must be held
frames               orders, lines and products as data frames
amounts, texts       exact numbers; comparable text
phones, buyers       phones as E.164; the identity of a buyer
zones                the shop's time zone
catalogue            products of catalog/export
fingerprint          the hash of an order
qualifying           which orders are taken over
"""
