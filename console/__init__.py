"""The console: pages for shops, their settings, held records and orders, in a process and at a port of its own.

app                    the routes, and what an error looks like
guard                  whom it answers: host, origin, login; the headers of each answer
page                   how a page is rendered; times, links, paths
backend                what the pages work with
shops, orders, held    the overview, a shop, its orders, its held records
settings, filled       a shop is connected, changed, deleted; what a person has filled in
backfills              a look, the backfill that does it, a cancel
comparison, matches    the last comparison with RO App; what people chose
choices                what a person chooses for a held record
accounts               the accounts of RO App, and a test of the alerts
actions                what a person starts on them
flow_runs              Prefect, where runs are started and settings are stored
__main__               the process, which the supervisor of a home keeps up from `up` to `down`

Pages that only show something read the ledger alone, so they work while Prefect's server is down.
"""
