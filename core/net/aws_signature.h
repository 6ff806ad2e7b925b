// Signature Version 4: how a request proves to Amazon who sent it, without its
// secret. A pure function; the clock is handed in.
//
// Source: AWS General Reference, "Signing AWS API requests". Doesn't know:
// which services there are, and what S3 does differently (it does not encode
// the path a second time).
#pragma once

#include <string>
#include <vector>

#include "core/clock.h"
#include "core/net/http.h"
#include "core/result.h"
#include "core/secret.h"

namespace pony {

struct AwsCredentials {
  Secret access_key_id;
  Secret secret_access_key;
  Secret session_token;  // empty: long-term credentials
};

// For whom a signature is good.
struct AwsScope {
  std::string region;   // "eu-west-1"
  std::string service;  // the name that is signed: "ses"
};

// The headers that sign `request` as of `now`: X-Amz-Date,
// X-Amz-Security-Token if there is a token, Authorization. All of the
// request's headers are signed along, and Host as libcurl sends it: the
// URL's, with its port unless that is the scheme's own. Errors: those of
// core/net/crypto.h.
Result<std::vector<HttpHeader>> aws_signature(const HttpRequest& request,
                                              const AwsCredentials& credentials,
                                              const AwsScope& scope, Time now);

}  // namespace pony
