#!/bin/sh
# Makes the certificates of this folder anew, all of them: their keys are in the source tree, so they are good for tests
# and for nothing else. Needs the openssl command, 3.0 or later. README says what each file is.
set -eu
umask 022
cd "$(dirname "$0")"
out=$PWD
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
begin=20200101000000Z
end=21200101000000Z

# An authority: a folder of its own, with the files that `openssl ca` keeps.
authority() { # NAME
    mkdir "$tmp/$1"
    : >"$tmp/$1/index"
    echo 01 >"$tmp/$1/serial"
    echo 01 >"$tmp/$1/crlnumber"
    cat >"$tmp/$1/config" <<END
[ca]
default_ca = d
[d]
dir = $tmp/$1
database = $tmp/$1/index
serial = $tmp/$1/serial
crlnumber = $tmp/$1/crlnumber
new_certs_dir = $tmp/$1
default_md = sha256
policy = p
unique_subject = no
[p]
organizationName = optional
commonName = supplied
[req]
distinguished_name = n
[n]
END
}

key() { # FILE
    openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$1" 2>/dev/null
}

# A certificate. The issuer is the name of an authority, or "" for the key's own.
issue() { # ISSUER FILE KEY SUBJECT BEGIN END EXTENSION...
    issuer=$1 file=$2 key=$3 subject=$4 from=$5 to=$6
    shift 6
    printf '%s\n' '[x]' 'subjectKeyIdentifier = hash' "$@" >"$tmp/extensions"
    openssl req -new -key "$key" -subj "$subject" -config "$tmp/ca/config" -out "$tmp/request"
    if [ "$issuer" = self ]; then
        set -- -selfsign -keyfile "$key"
    else
        set -- -cert "$tmp/$issuer/ca.pem" -keyfile "$tmp/$issuer/ca.key"
        echo 'authorityKeyIdentifier = keyid' >>"$tmp/extensions"
    fi
    openssl ca -batch -notext -config "$tmp/$issuer/config" -in "$tmp/request" -out "$file" -startdate "$from" \
        -enddate "$to" -extfile "$tmp/extensions" -extensions x "$@" 2>"$tmp/log" || { cat "$tmp/log" >&2; exit 1; }
}

of_ca='basicConstraints = critical, CA:TRUE'
may_sign='keyUsage = critical, keyCertSign, cRLSign'
no_ca='basicConstraints = critical, CA:FALSE'
serves='extendedKeyUsage = serverAuth'
names='subjectAltName = DNS:localhost, DNS:example.test, IP:127.0.0.1, IP:::1'

for name in self ca otherca mid; do authority $name; done
for name in ca otherca; do
    key "$tmp/$name/ca.key"
    issue self "$tmp/$name/ca.pem" "$tmp/$name/ca.key" "/O=green-net tests/CN=$name" $begin $end "$of_ca" "$may_sign"
    cp "$tmp/$name/ca.pem" "$out/$name.pem"
done
key "$tmp/mid/ca.key"
issue ca "$tmp/mid/ca.pem" "$tmp/mid/ca.key" '/O=green-net tests/CN=mid' $begin $end "$of_ca" "$may_sign"

key server.key
openssl pkey -in server.key -traditional -aes256 -passout pass:secret -out encrypted.key
key client.key
openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out rsa.key 2>/dev/null

issue ca server.pem server.key '/O=green-net tests/CN=server' $begin $end "$no_ca" "$serves" "$names"
issue ca rsa.pem rsa.key '/O=green-net tests/CN=rsa' $begin $end "$no_ca" "$serves" "$names"
issue ca wildcard.pem server.key '/O=green-net tests/CN=wildcard' $begin $end "$no_ca" "$serves" \
    'subjectAltName = DNS:*.wild.test'
issue ca expired.pem server.key '/O=green-net tests/CN=expired' $begin 20210101000000Z "$no_ca" "$serves" "$names"
issue ca future.pem server.key '/O=green-net tests/CN=future' 21000101000000Z $end "$no_ca" "$serves" "$names"
issue ca revoked.pem server.key '/O=green-net tests/CN=revoked' $begin $end "$no_ca" "$serves" "$names"
issue ca client.pem client.key '/O=green-net tests/CN=client' $begin $end "$no_ca" 'extendedKeyUsage = clientAuth' \
    'subjectAltName = DNS:client.test'
issue self self.pem server.key '/O=green-net tests/CN=self' $begin $end "$no_ca" "$names"
issue self cn.pem server.key '/O=green-net tests/CN=localhost' $begin $end "$no_ca"
issue otherca other.pem server.key '/O=green-net tests/CN=other' $begin $end "$no_ca" "$serves" "$names"
issue mid "$tmp/leaf" server.key '/O=green-net tests/CN=chain' $begin $end "$no_ca" "$serves" "$names"
cat "$tmp/leaf" "$tmp/mid/ca.pem" >chain.pem

openssl ca -config "$tmp/ca/config" -cert ca.pem -keyfile "$tmp/ca/ca.key" -revoke revoked.pem 2>/dev/null
openssl ca -config "$tmp/ca/config" -cert ca.pem -keyfile "$tmp/ca/ca.key" -gencrl -crl_lastupdate $begin \
    -crl_nextupdate $end -out crl.pem 2>/dev/null
chmod 644 ./*.pem ./*.key
