"""The whole platform on one machine: servers, services, and the process that keeps them up."""
