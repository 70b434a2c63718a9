#!/bin/sh
# Makes the Docker image of a Debian 12 node from Debian's packages alone, where no image can be pulled (needs root):
#   tests/node/debian.sh gen3-uploads-node:debian12 && MOLECULE_NODE_IMAGE=gen3-uploads-node:debian12 molecule test
set -eu
image=${1:-gen3-uploads-node:debian12}
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
debootstrap --variant=minbase \
    --include=systemd,systemd-sysv,python3,python3-apt,sudo,ca-certificates,iproute2,dbus bookworm "$root" >&2
tar -C "$root" -c . | docker import --change 'CMD ["/sbin/init"]' --change 'ENV container=docker' - "$image"
