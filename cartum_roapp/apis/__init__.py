"""Clients of the two web APIs. What their answers are used for is elsewhere.

calls, limiter, retries   count, pace and repeat calls
bounds                    end a walk over a list that goes on and on
masking                   hides personal data and secrets in texts of the APIs
http, reply               send one request; read one answer
cartum                    `Cartum`: reads a shop and sets statuses of orders
roapp                     `RoApp`: reads and writes an account
"""
