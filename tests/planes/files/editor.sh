#!/bin/sh
sed -i 's/note: hello/note: edited/' "$1"
