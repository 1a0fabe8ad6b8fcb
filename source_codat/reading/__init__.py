"""One partition, read completely or said not to be: requests, pages, passes, and the rows that leave."""
