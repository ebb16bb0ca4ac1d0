"""Decision support: interactions, contra-indications, calculators, and CDS Hooks cards of them."""
