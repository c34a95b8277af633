"""The pages from which people talk to Mixpanel: the composer, its history, imports, comparisons and projects.

One module a noun, routes and read queries together, as in the dashboard; whoever is signed in reads, operators send.
"""

from flask import Blueprint

blueprint = Blueprint("outbound", __name__)
