"""What a command may do in which situation: one table, from which docs/deploying.md is written too. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from deployment.arguments import Command
from deployment.situation import Condition, Situation

DATA = "data"


class Answer(StrEnum):
    """Whether it is done."""

    GO = "goes"
    WARN = "goes, with a warning"
    REFUSE = "refused"


@dataclass(frozen=True)
class Destruction:
    """What a destroy would do to the database that takes writes, by the state, which it follows.

    Attributes:
        skips_snapshot: whether the state has it deleted without a final snapshot.
        is_short_lived: whether the environment says that nothing has to be kept: `skipFinalSnapshot` in its
            configuration, no production, nothing protected.
    """

    skips_snapshot: bool = False
    is_short_lived: bool = False


@dataclass(frozen=True)
class Verdict:
    """What becomes of one command for one layer.

    Attributes:
        answer: whether it is done.
        why: the reason, where there is one to tell.
        remedy: what to do first, where it is refused.
    """

    answer: Answer
    why: str = ""
    remedy: str = ""


GO = Verdict(Answer.GO)


def verdict(command: Command, layer: str, situation: Situation, stack: str, destruction: Destruction) -> Verdict:
    """What becomes of it.

    Args:
        command: the command.
        layer: the layer it is for.
        situation: what it meets.
        stack: the stack, for the commands that mend it.
        destruction: what a destroy would do to the database that takes writes.
    """
    match command:
        case Command.OUTPUTS:
            return GO
        case Command.DEPLOY:
            return _deploy(layer, situation, stack)
        case Command.PREVIEW:
            ahead = _deploy(layer, situation, stack)
            if ahead.answer is Answer.REFUSE:
                return Verdict(Answer.WARN, f"{ahead.why}: a deploy of {layer} would be refused", ahead.remedy)
            return ahead
        case Command.DESTROY:
            return _destroy(layer, situation, stack, destruction)
        case Command.REFRESH | Command.DRIFT:
            return _look(command, situation)


def _moves(situation: Situation) -> Verdict | None:
    """The refusal of everything that changes something, while the writer or authority is moving."""
    if situation.condition is Condition.INCIDENT:
        return Verdict(Answer.REFUSE, situation.why, "wait for its end: ./dr status; the runbook says how to end one")
    if situation.condition is Condition.HANDING_OVER:
        return Verdict(Answer.REFUSE, situation.why, "it takes minutes: ./dr status says how far it is")
    return None


def _deploy(layer: str, situation: Situation, stack: str) -> Verdict:
    moves = _moves(situation)
    if moves is not None:
        return moves
    if layer == DATA and situation.writer is None:
        return Verdict(Answer.REFUSE, f"which database is the writer is unknown: {situation.why}", situation.remedy)
    if layer == DATA and situation.writer is not situation.active:
        return _refuse_behind(situation, stack)
    if situation.condition is Condition.UNKNOWN:
        return Verdict(Answer.WARN, f"which database is the writer is unknown: {situation.why}")
    if situation.is_dark:
        return Verdict(
            Answer.WARN,
            f"{situation.why}. What stands in the dark region is left as it is; a change of it fails",
        )
    return GO


def _refuse_behind(situation: Situation, stack: str) -> Verdict:
    why = f"{situation.why}, and the configuration's activeSite is {situation.active}"
    if situation.is_dark:
        line = f"postgres-dr-data:activeSite: {situation.writer} in projects/data/Pulumi.{stack}.yaml"
        remedy = (
            f"set {line}, and backupReplicationRetentionDays: 0; "
            "when that region answers, put the days back and run ./dr reprotect"
        )
    else:
        # Not by hand: the snapshot copier has started the replication of backups that a deploy would start, too.
        remedy = (
            "./dr reprotect brings the layer in line and makes a new standby; "
            "./dr reprotect -- --keep-looking stops before the old instance goes"
        )
    return Verdict(Answer.REFUSE, why, remedy)


def _destroy(layer: str, situation: Situation, stack: str, destruction: Destruction) -> Verdict:
    moves = _moves(situation)
    if moves is not None:
        return moves
    if situation.is_dark:
        dark = ", ".join(sorted(situation.dark))
        return Verdict(
            Answer.REFUSE,
            f"the {dark} region does not answer: what stands there cannot be destroyed, and would stop it half-way",
            "wait until it does",
        )
    if layer != DATA or destruction.is_short_lived:
        return GO
    if situation.writer is None:
        return Verdict(Answer.REFUSE, f"which database is the writer is unknown: {situation.why}", situation.remedy)
    if destruction.skips_snapshot:
        behind = situation.writer is not situation.active
        return Verdict(
            Answer.REFUSE,
            f"the {situation.writer} site's database takes writes, and the state has it go without a last snapshot",
            f"with skipFinalSnapshot: false{f' and activeSite: {situation.writer}' if behind else ''}, "
            f"./dr deploy -- data --stack {stack} first",
        )
    return GO


def _look(command: Command, situation: Situation) -> Verdict:
    """A refresh writes what it finds into the states; a drift check only tells."""
    refuses = command is Command.REFRESH
    moves = _moves(situation)
    if moves is not None:
        return moves if refuses else Verdict(Answer.WARN, f"{situation.why}: what differs may be about to change")
    if situation.is_dark:
        why = f"the {', '.join(sorted(situation.dark))} region does not answer, and a refresh asks it"
        return Verdict(Answer.REFUSE if refuses else Answer.WARN, why, "wait until it does")
    if situation.writer is None and refuses:
        return Verdict(Answer.WARN, f"which database is the writer is unknown: {situation.why}")
    return GO
