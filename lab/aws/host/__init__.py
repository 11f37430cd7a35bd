"""What the lab adds to MiniStack, inside MiniStack's process: one file for each thing AWS has and MiniStack lacks.

Only `lab.aws.ministack` imports these, after it has checked that MiniStack is the version they were written for.
"""
