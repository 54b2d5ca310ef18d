#!/bin/sh
echo itself
