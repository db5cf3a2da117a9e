"""Orders of a Cartum shop: raw rows checked one by one, made into typed frames. Free of HTTP and of Prefect."""
