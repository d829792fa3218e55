"""Packs binaries as registries take them, and writes the sums of all that is published.

Usage: archives.py VERSION BINARIES OUTPUT, in the top folder of the repository.

The same binaries give the same bytes: fixed times, order and modes.
"""

import base64
import hashlib
import io
import json
import pathlib
import sys
import tarfile
import zipfile

NAME = "terraform-provider-claude"
ADDRESS = "terraform.local/claude-ops/claude"


def member(name, mode):
    """Describes a file of an archive, as if a Unix had made it at the first time that zip knows."""
    info = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
    info.create_system = 3
    info.external_attr = (0o100000 | mode) << 16
    info.compress_type = zipfile.ZIP_DEFLATED
    return info


def hashes(archive):
    """Returns the hashes of an archive that lock files hold: of the files in it, and of itself."""
    with zipfile.ZipFile(archive) as opened:
        files = sorted((name, hashlib.sha256(opened.read(name)).hexdigest()) for name in opened.namelist())
    listed = "".join(f"{digest}  {name}\n" for name, digest in files)
    whole = base64.b64encode(hashlib.sha256(listed.encode()).digest()).decode()
    return [f"h1:{whole}", f"zh:{hashlib.sha256(archive.read_bytes()).hexdigest()}"]


def mirror(version, archives, target):
    """Writes a packed mirror of all platforms, as `install --dir` fills one for its own."""
    listed = {}
    for archive in archives:
        platform = archive.stem[len(f"{NAME}_{version}_") :]
        listed[platform] = {"hashes": hashes(archive), "url": archive.name}
    files = {archive.name: archive.read_bytes() for archive in archives}
    files[f"{version}.json"] = json.dumps({"archives": listed}, indent=2).encode() + b"\n"
    files["index.json"] = json.dumps({"versions": {version: {}}}, indent=2).encode() + b"\n"
    with tarfile.open(target, "x", format=tarfile.USTAR_FORMAT) as packed:
        for name, content in sorted(files.items()):
            member = tarfile.TarInfo(f"{ADDRESS}/{name}")
            member.size = len(content)
            packed.addfile(member, io.BytesIO(content))


def main():
    version, binaries, output = sys.argv[1], pathlib.Path(sys.argv[2]), pathlib.Path(sys.argv[3])
    for binary in sorted(file for file in binaries.glob(f"{NAME}_*") if not file.suffix):
        platform = binary.name[len(NAME) + 1 :]
        with zipfile.ZipFile(output / f"{NAME}_{version}_{platform}.zip", "x") as archive:
            archive.writestr(member("LICENSE", 0o644), pathlib.Path("LICENSE").read_bytes(), compresslevel=9)
            notices = binary.with_name(f"{binary.name}.notices").read_bytes()
            archive.writestr(member("THIRD-PARTY-NOTICES.txt", 0o644), notices, compresslevel=9)
            archive.writestr(member(f"{NAME}_v{version}", 0o755), binary.read_bytes(), compresslevel=9)
    archives = sorted(output.glob(f"{NAME}_{version}_*.zip"))
    mirror(version, archives, output / f"{NAME}_{version}_mirror.tar")
    manifest = pathlib.Path("terraform-registry-manifest.json").read_bytes()
    (output / f"{NAME}_{version}_manifest.json").write_bytes(manifest)
    sums = "".join(
        f"{hashlib.sha256(file.read_bytes()).hexdigest()}  {file.name}\n"
        for file in sorted(output.iterdir())
    )
    (output / f"{NAME}_{version}_SHA256SUMS").write_text(sums)


main()
