"""Takes orders, customers and products of Cartum (Horoshop) shops into RO App, exactly once.

The core. All except cli/ is free of Prefect, so that every rule can be run and tested as a plain function.

    apis/             clients of the two web APIs
    orders/           a shop's raw orders, checked and made into typed frames
    ledger/           the project's database: tables, queries, migrations
    delivery/         one order's way into RO App, and why it gets there exactly once
    config/           settings of shops and accounts, and their rules
    connection/       connects and checks a shop: questions, lists of both systems, problems
    reconciliation/   compares shop, ledger and RO App
    service/          runs the programs of a home: database, Prefect's server, worker and console
    postgres/         the embedded PostgreSQL, and access to an operator's own
    metrics/          metrics for Prometheus
    doctor/           looks at an installation, and says what is wrong
    backup            writes everything into one file, and loads it
    cli/              the command `cartum-roapp`

Comments cite sections of three pages: `cartum §2.3` is docs/apis/cartum.md, `roapp §3.2` is docs/apis/roapp.md, and
`design §3.5` is docs/design.md.
"""
