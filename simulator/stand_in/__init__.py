"""A stand-in for Mixpanel's APIs, to practise on: it checks and answers as Mixpanel documents it.

What came is kept in memory until it stops.
"""
