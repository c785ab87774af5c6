#!/bin/sh
# Makes the certificates of the tests anew, in this folder, with the openssl command. See README.
set -e
cd "$(dirname "$0")"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
long_ago=20200101000000Z
far=20991231235959Z

cat >"$work/conf" <<END
[ca]
default_ca = it
[it]
database = $work/index
new_certs_dir = $work
serial = $work/serial
crlnumber = $work/crlnumber
default_md = sha256
policy = any
unique_subject = no
copy_extensions = copy
[any]
commonName = supplied
[req]
distinguished_name = dn
prompt = no
[dn]
CN = x
[authority]
basicConstraints = critical,CA:TRUE
keyUsage = critical,keyCertSign,cRLSign
subjectKeyIdentifier = hash
[leaf]
basicConstraints = CA:FALSE
keyUsage = digitalSignature
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
END
: >"$work/index"
echo 1000 >"$work/serial"
echo 10 >"$work/crlnumber"

key() { # NAME KIND
    case $2 in
        rsa) openssl genrsa -out "$1.key" 2048 2>/dev/null ;;
        *) openssl ecparam -name prime256v1 -genkey -noout -out "$1.key" ;;
    esac
}
authority() { # NAME CN
    key "$1" ec
    openssl req -new -key "$1.key" -subj "/CN=$2" -out "$work/csr"
    openssl ca -batch -notext -config "$work/conf" -selfsign -keyfile "$1.key" -in "$work/csr" -out "$1.pem" \
        -startdate $long_ago -enddate $far -extensions authority 2>/dev/null
}
leaf() { # NAME KIND CN SAN [CA] [FROM] [UNTIL]
    key "$1" "$2"
    openssl req -new -key "$1.key" -subj "/CN=$3" ${4:+-addext "subjectAltName=$4"} -out "$work/csr"
    openssl ca -batch -notext -config "$work/conf" -cert "${5:-ca}.pem" -keyfile "${5:-ca}.key" -in "$work/csr" \
        -out "$1.pem" -startdate "${6:-$long_ago}" -enddate "${7:-$far}" -extensions leaf 2>/dev/null
}

here=DNS:localhost,DNS:*.example.test,IP:127.0.0.1,IP:::1
authority ca "green-net test CA"
authority ca2 "another test CA"
leaf ec ec localhost $here
leaf rsa rsa localhost $here
leaf other ec other.test DNS:other.test
leaf expired ec localhost $here ca $long_ago 20210101000000Z
leaf future ec localhost $here ca 20900101000000Z $far
leaf untrusted ec localhost $here ca2
leaf client ec client.test ""
leaf revoked ec localhost $here

# One that has signed itself.
key self ec
openssl req -new -key self.key -subj "/CN=localhost" -addext "subjectAltName=$here" -out "$work/csr"
openssl ca -batch -notext -config "$work/conf" -selfsign -keyfile self.key -in "$work/csr" -out self.pem \
    -startdate $long_ago -enddate $far -extensions leaf 2>/dev/null

# The same key as client.key, with a password; certificate and key in one file.
openssl ec -in client.key -aes128 -passout pass:secret -out locked.key 2>/dev/null
cat ec.pem ec.key >both.pem

openssl ca -config "$work/conf" -cert ca.pem -keyfile ca.key -revoke revoked.pem 2>/dev/null
openssl ca -config "$work/conf" -cert ca.pem -keyfile ca.key -gencrl -crl_lastupdate $long_ago \
    -crl_nextupdate $far -out ca.crl 2>/dev/null
rm -f ca.key ca2.key
