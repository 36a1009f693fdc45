#!/bin/sh
# Install what the tests use beside Python packages, where that can be done: a browser, calendar
# apps, a pooler, a library that sets the clock of a process, and parsers in other languages. What
# is there already is left alone. Usage: tests/parts.sh VENV
set -eu
venv=$1

if [ "$(id -u)" = 0 ] && command -v apt-get > /dev/null; then
    missing=
    [ -e /usr/bin/chromium ] || missing="$missing chromium fonts-noto-core"
    [ -e /usr/include/libical/ical.h ] || missing="$missing libical-dev"
    command -v cc > /dev/null || missing="$missing gcc libc6-dev"
    command -v php > /dev/null || missing="$missing php-cli"
    [ -e /usr/share/php/Sabre/VObject ] || missing="$missing php-sabre-vobject"
    command -v npm > /dev/null || missing="$missing nodejs npm"
    [ -e /usr/sbin/pgbouncer ] || missing="$missing pgbouncer"
    command -v rsync > /dev/null || missing="$missing rsync"
    [ -e /usr/bin/thunderbird ] || missing="$missing thunderbird"
    [ -e /usr/lib/x86_64-linux-gnu/girepository-1.0/ECal-2.0.typelib ] \
        || missing="$missing evolution-data-server gir1.2-ecal-2.0 python3-gi dbus"
    [ -e /usr/sbin/dovecot ] || missing="$missing dovecot-imapd"
    command -v faketime > /dev/null || missing="$missing faketime"
    if [ -n "$missing" ]; then
        apt-get -qq update
        # shellcheck disable=SC2086 # these are several names
        apt-get -qq install --no-install-recommends --yes $missing > /dev/null
    fi
fi

if command -v npm > /dev/null && ! cmp -s tests/ical/parsers/package.json "$venv/parsers/package.json"; then
    mkdir -p "$venv/parsers"
    cp tests/ical/parsers/package.json "$venv/parsers/"
    if ! npm install --silent --no-package-lock --prefix "$venv/parsers"; then
        rm "$venv/parsers/package.json"
        echo "ical.js cannot be installed: tests that need it are skipped" >&2
    fi
fi
