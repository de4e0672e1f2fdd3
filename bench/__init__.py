"""Side-by-side benchmarks: the routing worker beside other ways to do the same job."""
