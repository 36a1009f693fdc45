#!/bin/sh
# Install what the tests use beside Python packages, where that can be done: a browser, calendar
# apps, a pooler, reverse proxies, Prometheus' checks, a library that sets the clock of a process, and parsers in other
# languages. What is there already is left alone. Usage: tests/parts.sh VENV
set -eu
venv=$1

if [ "$(id -u)" = 0 ] && command -v apt-get > /dev/null; then
    missing=
    [ -e /usr/bin/chromium-headless-shell ] \
        || missing="$missing chromium-headless-shell fonts-noto-core"
    [ -e /usr/include/libical/ical.h ] || missing="$missing libical-dev"
    command -v cc > /dev/null || missing="$missing gcc libc6-dev"
    command -v php > /dev/null || missing="$missing php-cli"
    [ -e /usr/share/php/Sabre/VObject ] || missing="$missing php-sabre-vobject"
    command -v npm > /dev/null || missing="$missing nodejs npm"
    [ -e /usr/sbin/pgbouncer ] || missing="$missing pgbouncer"
    command -v curl > /dev/null || missing="$missing curl"
    command -v rsync > /dev/null || missing="$missing rsync"
    [ -e /usr/bin/thunderbird ] || missing="$missing thunderbird"
    [ -e /usr/lib/x86_64-linux-gnu/girepository-1.0/ECal-2.0.typelib ] \
        || missing="$missing evolution-data-server gir1.2-ecal-2.0 python3-gi dbus"
    [ -e /usr/sbin/dovecot ] || missing="$missing dovecot-imapd"
    command -v systemd-analyze > /dev/null || missing="$missing systemd"
    [ -e /usr/sbin/nginx ] || missing="$missing nginx-light"
    command -v caddy > /dev/null || missing="$missing caddy"
    command -v promtool > /dev/null || missing="$missing prometheus"
    command -v faketime > /dev/null || missing="$missing faketime"
    if [ -n "$missing" ]; then
        apt-get -qq update
        # shellcheck disable=SC2086 # these are several names
        apt-get -qq install --no-install-recommends --yes $missing > /dev/null
    fi
fi

# Packages of npm, each set in a folder of its own: install_packages SOURCE TARGET WHAT
install_packages() {
    if command -v npm > /dev/null && ! cmp -s "$1/package.json" "$venv/$2/package.json"; then
        mkdir -p "$venv/$2"
        cp "$1/package.json" "$venv/$2/"
        if ! npm install --silent --no-package-lock --prefix "$venv/$2"; then
            rm "$venv/$2/package.json"
            echo "$3 cannot be installed: tests that need it are skipped" >&2
        fi
    fi
}
install_packages tests/ical/parsers parsers ical.js
install_packages tests/receivers receivers "what generates receivers"

# The libraries for the other Pythons of this machine, in which a test installs calfeed.
"$venv/bin/python" -m tests.installing.libraries >&2 || true
