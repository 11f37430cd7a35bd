"""What the lab adds to MiniStack, inside MiniStack's process: one file for each feature.

Only `lab.aws.ministack` imports these, after it has checked MiniStack's version.
"""
