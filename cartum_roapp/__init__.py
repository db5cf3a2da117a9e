"""Orders, customers and products of Cartum (Horoshop) shops into RO App, exactly once.

The core: free of Prefect, so that every rule can be run and tested as a plain function.

    apis/       the two web APIs over HTTP: authentication, paging, retries, sorting of errors
    ledger/     what PostgreSQL knows: tables, queries, migrations
    delivery/   one order's way into RO App, and why it gets there exactly once
    cli/        the command `cartum-roapp`

Comments cite sections of three pages: `cartum §2.3` is docs/apis/cartum.md, `roapp §3.2` is docs/apis/roapp.md, and
`design §3.5` is docs/design.md.
"""
