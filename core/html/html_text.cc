#include "core/html/html_text.h"
