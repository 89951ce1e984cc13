"""Sources, destinations and connections made over HTTP, as most black-box tests need them."""


def make_connection(server, source, source_db, destination, destination_db, streams, schemas=("public",), name="mirror",
                    destination_schema="raw", **spec):
    """Makes a Postgres source, a Postgres destination and a connection between them; returns the connection's id."""
    http = server.http
    made = http.post("/v1/sources", {"name": f"{name}-source", "connector": "postgres",
                                     "configuration": source.configuration(source_db, schemas=list(schemas))})
    target = http.post("/v1/destinations", {"name": f"{name}-destination", "connector": "postgres",
                                            "configuration": destination.configuration(destination_db, schema=destination_schema)})
    body = {"name": name, "sourceId": made["sourceId"], "destinationId": target["destinationId"],
            "configurations": {"streams": streams}} | spec
    return http.post("/v1/connections", body)["connectionId"]


def start_sync(server, connection_id, **more):
    """Starts a sync; the job's number."""
    return server.http.post("/v1/jobs", {"connectionId": connection_id, "jobType": "sync"} | more)["jobId"]


def sync(server, connection_id, timeout=300, **more):
    """A sync from start to end; the job, which must have succeeded."""
    job = server.wait_for_job(start_sync(server, connection_id, **more), timeout)
    if job["status"] != "succeeded":
        raise AssertionError(f"job {job['jobId']} {job['status']}: {job.get('failure')}\n{server.log()[-3000:]}")
    return job
