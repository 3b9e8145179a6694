#!/bin/sh
# The yardstick of `make bench`: every file that the k3s documentation's script
# for custom CA certificates makes, with the same algorithms, names, extensions
# and days, made with OpenSSL alone.
#
#   openssl.sh DIR      DIR becomes the content of /var/lib/rancher/k3s/server/tls
#
# It is written to be fast. It runs 15 openssl processes, one for the service
# key and two for each of the seven authorities: one makes the key, because
# only genrsa and ecparam write the PKCS#1 and SEC1 files that k3s has, and one
# makes the certificate without a request in between (`req -CA`, OpenSSL 3.0 or
# newer). The only other processes are one date and one mkdir. As in the
# original, no two of them run at the same time.
set -eu
umask 027

if [ $# -ne 1 ]; then
	echo "usage: openssl.sh DIR" >&2
	exit 2
fi
if [ -e "$1/etcd" ]; then
	echo "openssl.sh: $1 holds certificates already" >&2
	exit 1
fi
mkdir -p -- "$1/etcd"
cd -- "$1"
now=$(date +%s)

# certify NAME DAYS KEY [ISSUER OPTION...] prints the certificate.
# An empty configuration keeps the extensions of the machine's own away.
certify() {
	name=$1 days=$2 key=$3
	shift 3
	openssl req -x509 -sha256 -config /dev/null \
		-addext basicConstraints=critical,CA:TRUE \
		-addext keyUsage=critical,digitalSignature,keyEncipherment,keyCertSign \
		-addext subjectKeyIdentifier=hash \
		-addext authorityKeyIdentifier=keyid:always \
		-subj "/CN=k3s-$name-ca@$now" -days "$days" -key "$key" "$@"
}

openssl genrsa -traditional -out service.key 2048

openssl genrsa -traditional -out root-ca.key 4096
root=$(certify root 7300 root-ca.key)
printf '%s\n' "$root" >root-ca.pem
printf '%s\n' "$root" >root-ca.crt

openssl genrsa -traditional -out intermediate-ca.key 4096
intermediate=$(certify intermediate 3700 intermediate-ca.key \
	-CA root-ca.pem -CAkey root-ca.key)
printf '%s\n' "$intermediate" >intermediate-ca.pem
printf '%s\n' "$intermediate" "$root" >intermediate-ca.crt

for file in client server request-header etcd/peer etcd/server; do
	case $file in
	etcd/*) name=etcd-${file#etcd/} ;;
	*) name=$file ;;
	esac
	openssl ecparam -name prime256v1 -genkey -noout -out "$file-ca.key"
	leaf=$(certify "$name" 3700 "$file-ca.key" \
		-CA intermediate-ca.pem -CAkey intermediate-ca.key)
	printf '%s\n' "$leaf" >"$file-ca.pem"
	printf '%s\n' "$leaf" "$intermediate" "$root" >"$file-ca.crt"
done
