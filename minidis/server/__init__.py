"""The RESP server: clients in other processes use a database of this process."""
