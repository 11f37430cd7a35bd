"""AWS in memory, in which the functions are tested, measured and simulated.

What it models: two sites, alike but for their names, each with an RDS instance (its status, security groups that take
time to change, replication, a promotion that takes time, connections that outlive a change of groups), a controller
with its DynamoDB table of conditional writes, and CloudWatch, whose samples can be read some time after they were
taken, as its alarms evaluate the controller's word then; SNS and STS; a region that answers nothing; botocore's own
check of parameters; and any fault at any call. Time passes when somebody waits.

What it does not: permissions, throttling by rate, pages of answers, Route 53, what a reboot takes, and probes that a
fence shuts out: a database answers its probes unless it is down. What AWS takes its time for, it takes in `durations`.

Readings that AWS cannot give are refused by `consistency`.
"""
