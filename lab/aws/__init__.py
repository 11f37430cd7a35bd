"""The lab's AWS except RDS: MiniStack in a process of its own, and the network, DNS, alarms and health checks it lacks.

The rest of the lab uses what is named here.
"""

from lab.aws.clock import LabClock
from lab.aws.dns import Resolver
from lab.aws.dns_server import DnsServer
from lab.aws.network import Clients, LabNetwork, loopback_address, loopback_network, vpc_address
from lab.aws.process import ACCOUNT_ID, AwsDidNotStartError, LabAws, port_from_environment

__all__ = [
    "ACCOUNT_ID",
    "AwsDidNotStartError",
    "Clients",
    "DnsServer",
    "LabAws",
    "LabClock",
    "LabNetwork",
    "Resolver",
    "loopback_address",
    "loopback_network",
    "port_from_environment",
    "vpc_address",
]
