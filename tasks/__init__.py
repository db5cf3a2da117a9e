"""What the flows are made of in Prefect. The plain functions below are those of `cartum_roapp.sync`.

steps           the steps of the flows, as tasks
step            makes a task of a function
arrows          which tasks a task waits for
run             how a run begins and ends: its record, pauses and errors
frames          rows → typed frames: three steps in one
deliver         outbox → RO App, with its progress
ending          the state in which a run ends says what it did, or why it failed
names           the names of runs and tasks
tags            the tags of runs
lines           which lines the log of a run shows
schedule        starts and pauses the shop's schedules
progress        the progress of a run, in Prefect's UI and on the terminal
summary         the artifacts of a run in Prefect's UI
sections        the tables of a run in Markdown
links           where a summary leads: to the shop's admin and the console
report          the artifacts of a reconciliation
matches         a status, a contact or a product that a person matches
plan_page       the artifact of a dry run
parameters      how the run forms describe what they ask
backfill_form   what the form of a backfill asks, and how its run is named or divided
canceling       ends a backfill with its run where a person cancels that
"""
