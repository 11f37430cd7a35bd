"""The network layer: a VPC without a way out, its security groups and keys per site; a peering between the sites."""
