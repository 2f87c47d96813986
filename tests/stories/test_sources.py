"""Imagery comes from other machines: an import is killed half-way, asked for again, and loses and doubles nothing."""

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from django.conf import settings as django_settings
from moto.server import ThreadedMotoServer

from tests.scenes import make_scene
from tests.servers import FileServer, Handler, file_server
from tests.stac_api import START, collection_of, item_of, stac_api

BANDS = ("B02", "B08")
COUNT = 30
BUCKET = "imagery"


class House:
    """A home of its own with its database, and the program as people run it."""

    def __init__(self, home: Path, blank: Path, **environment: str) -> None:
        home.mkdir()
        self.database = home / "mad.sqlite3"
        shutil.copyfile(blank, self.database)
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("DATABASE_", "MAD_", "AWS_"))}
        plain = {"MAD_HOME": str(home), "DATABASE_URL": f"spatialite:///{self.database}", "LOG_LEVEL": "WARNING"}
        self.environment = {**kept, **plain, "MAD_REMOTE_NETWORKS": "127.0.0.0/8", **environment}

    def start(self, *words: str) -> "subprocess.Popen[str]":
        command = [sys.executable, str(django_settings.BASE_DIR / "manage.py"), *words]
        return subprocess.Popen(
            command, env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )

    def run(self, *words: str) -> str:
        process = self.start(*words)
        said, _ = process.communicate(timeout=300)
        assert process.returncode == 0, said
        return said

    def ask(self, question: str) -> list[tuple[Any, ...]]:
        with sqlite3.connect(f"file:{self.database}?mode=ro", uri=True, timeout=30) as database:
            rows = database.execute(question).fetchall()
        database.close()
        return rows

    def states(self) -> dict[str, int]:
        return dict(self.ask("SELECT state, count(*) FROM labelling_importitem GROUP BY state"))

    def kill_half_way(self, *words: str, at: str = "catalogued") -> None:
        """Kill the program, and with it its children, when something is so far and not everything is catalogued.

        Small files that lie near are catalogued all at once: there the half way is while they are read.
        """
        process = self.start(*words)
        while not self.states().get(at):
            assert process.poll() is None, process.communicate()[0]
            time.sleep(0.02)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        left = self.states()
        assert left.get("catalogued", 0) < sum(left.values()), left

    def check(self, count: int, name: str) -> None:
        assert self.states() == {"catalogued": count}
        (scenes,) = self.ask(f"SELECT count(*), count(DISTINCT {name}), count(DISTINCT version) FROM labelling_scene")
        assert scenes == (count, count, count)
        assert self.ask("SELECT count(*) FROM labelling_sceneimport") == [(1,)]


def settle(folder: Path, count: int = COUNT) -> None:
    """A scene a folder, each band in a file of its own; told of by no tags but the item's."""
    for number in range(count):
        for band in BANDS:
            place = folder / f"{number:03}" / f"{band}.tif"
            make_scene(place, bands=(band,), size=32, lon=-60 + number * 0.1, seed=number, scale=None, tiled=True,
                       blockxsize=16, blockysize=16)  # fmt: skip


@pytest.fixture
def store(tmp_path: Path) -> Iterator[FileServer]:
    settle(tmp_path / "store")

    def is_far_away(_handler: Handler) -> bool:
        time.sleep(0.1)
        return False

    with file_server(tmp_path / "store") as files:
        files.bad = is_far_away
        yield files


def items(files: FileServer) -> list[dict[str, Any]]:
    """All the scenes, of which four are too cloudy, too late, elsewhere, or of another collection."""
    found = [
        item_of(number, lon=-60 + number * 0.1, hrefs={band: files.url(f"{number:03}/{band}.tif") for band in BANDS})
        for number in range(COUNT)
    ]
    found[3]["properties"]["eo:cloud_cover"] = 80.0
    found[4]["properties"]["datetime"] = "2024-01-01T00:00:00Z"
    found[5]["bbox"], found[5]["geometry"] = [10, 10, 10.1, 10.1], {"type": "Point", "coordinates": [10.05, 10.05]}
    found[6]["collection"] = "others"
    return found


@pytest.mark.slow
def test_a_stac_api_is_searched_ingested_killed_and_resumed(
    store: FileServer, tmp_path: Path, blank_database: Path
) -> None:
    with stac_api(tmp_path / "api", items(store), [collection_of(), collection_of("others")]) as url:
        house = House(tmp_path / "home", blank_database, MAD_REMOTE_HOSTS=f"{url},{store.origin}")
        order = ("import_scenes", "--stac", url, "--collection", "mines", "--bbox", "-61", "-22", "-40", "-20",
                 "--since", START.date().isoformat(), "--until", "2023-01-01", "--max-cloud", "20",
                 "--processes", "2")  # fmt: skip
        house.kill_half_way(*order)
        asked_before = len(store.requests)
        house.run(*order)
        house.check(COUNT - 4, "uri")
        assert len(store.requests) > asked_before
    bands, files, offsets, baseline = house.ask("SELECT bands, files, offsets, baseline FROM labelling_scene")[0]
    assert (json.loads(bands), baseline) == (list(BANDS), "04.00")
    assert all(file.startswith(store.origin) for file in json.loads(files))
    assert json.loads(offsets) == pytest.approx([-0.1, -0.1])


@pytest.mark.slow
def test_a_static_catalogue_is_walked_and_its_assets_are_copied_here(
    store: FileServer, tmp_path: Path, blank_database: Path
) -> None:
    catalogue = collection_of() | {"links": []}
    for number, item in enumerate(items(store)[10:14]):
        item["assets"] = {
            band: {**asset, "href": f"../{number:03}/{band}.tif"} for band, asset in item["assets"].items()
        }
        place = tmp_path / "store" / "items" / f"{number}.json"
        place.parent.mkdir(exist_ok=True)
        place.write_text(json.dumps(item))
        catalogue["links"].append({"rel": "item", "href": f"items/{number}.json"})
    # A catalogue that leads in circles is still walked once.
    catalogue["links"].append({"rel": "child", "href": "collection.json"})
    (tmp_path / "store" / "collection.json").write_text(json.dumps(catalogue))
    house = House(tmp_path / "home", blank_database, MAD_REMOTE_HOSTS=store.origin)
    said = house.run("import_scenes", "--stac", store.url("collection.json"), "--convert")
    assert "4 scenes added" in said
    for uri, files in house.ask("SELECT uri, files FROM labelling_scene"):
        assert Path(uri).is_relative_to(tmp_path / "home" / "scenes")
        assert Path(uri).is_file()
        assert files == "[]"


@pytest.fixture
def s3() -> Iterator[str]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.mark.slow
def test_a_bucket_is_listed_ingested_killed_and_resumed(s3: str, tmp_path: Path, blank_database: Path) -> None:
    key = {"aws_access_key_id": "reader", "aws_secret_access_key": "a secret", "region_name": "us-east-1"}
    client = boto3.client("s3", endpoint_url=s3, **key)
    client.create_bucket(Bucket=BUCKET)
    for number in range(COUNT * 3):
        path = make_scene(tmp_path / "in.tif", size=32, lon=-60 + number * 0.1, seed=number)
        client.upload_file(str(path), BUCKET, f"2022/a scene/{number:03}+é.tif")
    client.put_object(Bucket=BUCKET, Key="2022/readme.txt", Body=b"no scene")
    client.close()
    secrets = {"AWS_ACCESS_KEY_ID": "reader", "AWS_SECRET_ACCESS_KEY": "a secret"}
    house = House(tmp_path / "home", blank_database, MAD_S3_BUCKETS=BUCKET, AWS_ENDPOINT_URL_S3=s3, **secrets)
    order = ("import_scenes", f"s3://{BUCKET}/2022/", "--processes", "2")
    house.kill_half_way(*order, at="reading")
    house.run(*order)
    house.check(COUNT * 3, "uri")
    assert house.ask("SELECT count(*) FROM labelling_scene WHERE uri LIKE 's3://imagery/2022/a scene/%'") == [
        (COUNT * 3,)
    ]
    # The same by GDAL's name for it and by a pattern: all known.
    assert "0 scenes added, 0 updated, 1 known" in house.run("import_scenes", f"/vsis3/{BUCKET}/2022/*/007*.tif")
