"""Imports: the records of a file, or one for each member of a cohort, sent in batches in the background.

Records have places, counted from 1 in the order of their source. A batch is a stretch of places. Its row is written
before it is sent, and completed in one transaction with the counts of the import: whoever goes on after a crash skips
the stretches that are complete and sends the others. Events carry an `$insert_id` made from their content, so that one
that is sent twice counts once; what would count twice is not sent again, but told to be uncertain.
"""
