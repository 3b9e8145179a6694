/* Judges chains with mbedTLS. Reads "directory TAB hostname TAB purpose" lines, answers each with
 * "accept" or "reject TAB reason". */

#include <mbedtls/error.h>
#include <mbedtls/oid.h>
#include <mbedtls/x509_crt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* An unreadable file is our mistake, a certificate that does not parse is a verdict. */
static int parse(mbedtls_x509_crt *into, const char *directory, const char *name) {
    char path[4096];
    FILE *file;
    if (snprintf(path, sizeof path, "%s/%s", directory, name) >= (int)sizeof path ||
        (file = fopen(path, "rb")) == NULL) {
        perror(path);
        exit(2);
    }
    fclose(file);
    return mbedtls_x509_crt_parse_file(into, path);
}

static int check_purpose(const mbedtls_x509_crt *leaf, const char *purpose) {
    return strcmp(purpose, "client") == 0
        ? mbedtls_x509_crt_check_extended_key_usage(leaf, MBEDTLS_OID_CLIENT_AUTH,
                                                    MBEDTLS_OID_SIZE(MBEDTLS_OID_CLIENT_AUTH))
        : mbedtls_x509_crt_check_extended_key_usage(leaf, MBEDTLS_OID_SERVER_AUTH,
                                                    MBEDTLS_OID_SIZE(MBEDTLS_OID_SERVER_AUTH));
}

static void answer(int status, uint32_t flags) {
    char reason[1024];
    if (status == 0) {
        puts("accept");
        return;
    }
    if (status > 0) /* that many blocks of the file */
        snprintf(reason, sizeof reason, "%d certificate(s) do not parse", status);
    else if (flags != 0)
        mbedtls_x509_crt_verify_info(reason, sizeof reason, "", flags);
    else
        mbedtls_strerror(status, reason, sizeof reason);
    for (char *c = reason; *c != '\0'; c++)
        if (*c == '\n')
            *c = ' ';
    printf("reject\t%s\n", reason);
}

static void judge(const char *directory, const char *hostname, const char *purpose) {
    mbedtls_x509_crt root, chain;
    uint32_t flags = 0;
    int status;
    mbedtls_x509_crt_init(&root);
    mbedtls_x509_crt_init(&chain);
    if ((status = parse(&root, directory, "root.pem")) == 0 &&
        (status = parse(&chain, directory, "chain.pem")) == 0 &&
        (status = mbedtls_x509_crt_verify(&chain, &root, NULL, *hostname ? hostname : NULL, &flags,
                                          NULL, NULL)) == 0)
        status = check_purpose(&chain, purpose);
    answer(status, flags);
    mbedtls_x509_crt_free(&chain);
    mbedtls_x509_crt_free(&root);
}

int main(void) {
    char line[8192];
    while (fgets(line, sizeof line, stdin) != NULL) {
        char *hostname, *purpose;
        line[strcspn(line, "\n")] = '\0';
        if ((hostname = strchr(line, '\t')) == NULL ||
            (purpose = strchr(hostname + 1, '\t')) == NULL) {
            fprintf(stderr, "malformed request: %s\n", line);
            return 2;
        }
        *hostname++ = *purpose++ = '\0';
        judge(line, hostname, purpose);
    }
    return 0;
}
