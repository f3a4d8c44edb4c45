"""The roster's decisions under a scheduler that loses replies, repeats, reorders, delays, crashes and pauses, by a seed.

python -m simulation 7            the schedule of seed 7, step by step
python -m simulation --from 1 --schedules 10000
"""
