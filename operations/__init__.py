"""Operating the failover: what people see of the controller and what they tell it, on AWS and in the lab alike."""
