"""PostgreSQL: the embedded one of a home, and one that the operator names.

cluster                      the data directory and the programs of the embedded one
embedded, socket_folder      its databases; where it is reached
system_user                  the user that it runs as
databases, database_url      the operator's own; the address of a database
dump                         a database as a file
"""
