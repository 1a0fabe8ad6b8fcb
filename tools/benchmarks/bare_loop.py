"""The least that Python does for such a read: `requests`, `orjson` in, `orjson` out, page by page."""

import base64
import sys
import time

import orjson
import requests

url, api_key = sys.argv[1:]
session = requests.Session()
session.headers["Authorization"] = "Basic " + base64.b64encode(api_key.encode()).decode()
out = sys.stdout.buffer


def pages(path):
    number, more = 1, True
    while more:
        body = orjson.loads(session.get(url + path, params={"page": number, "pageSize": 500}).content)
        yield body["results"]
        number, more = number + 1, "next" in body["_links"]


for companies in pages("/companies"):
    for company in companies:
        company_id = company["id"]
        for records in pages(f"/companies/{company_id}/data/invoices"):
            emitted_at = int(time.time() * 1000)
            for record in records:
                record["companyId"] = company_id
                message = {"stream": "invoices", "data": record, "emitted_at": emitted_at}
                out.write(orjson.dumps({"type": "RECORD", "record": message}) + b"\n")
out.flush()
