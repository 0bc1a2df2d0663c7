"""Where the demo's events come from: one module per public dataset, none of it in the repo."""
