"""Pure decisions of the gateway: what an event must be, what is masked, who may do what."""
