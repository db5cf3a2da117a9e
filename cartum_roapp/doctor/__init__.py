"""Looks at all that an installation needs, and says what is wrong and what to do. It starts nothing.

finding         what a look found
machine         versions, the home, the disk, the processes, the last backup
database        the server of the ledger and of Prefect's database, its settings, its clock, the key of the passwords
prefect_server  Prefect's server, its queue, and the addresses of shops and accounts
clocks          this machine's clock next to those of the shops and of RO App
bundle          all of it as a file for a bug report
recording       what both systems answered to a sync, for a bug report as well
pseudonyms      replace names, phone numbers, addresses and identifiers
"""
