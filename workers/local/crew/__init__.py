"""All workers on one machine: started, told apart, restarted when one dies, stopped together."""
