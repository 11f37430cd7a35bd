"""A stand-in for the Pulumi CLI: what `deployment.pulumi_cli` calls of it, answered by a running lab.

With it ``./dr deploy``, ``preview``, ``destroy``, ``refresh``, ``drift``, ``outputs`` and ``reprotect`` work on a lab
where no Pulumi CLI is installed. It is no Pulumi: the lab's own engine runs the programs, and the states are in the
lab's memory.
"""

VERSION = "the lab's stand-in for the Pulumi CLI (it is no Pulumi, and knows the lab's stack alone)"
FAILED = 1
BAD_USE = 2
NO_SUCH_STACK = 6
CHANGES = 7
"""What it ends with, as the CLI does: https://www.pulumi.com/docs/iac/cli/."""
