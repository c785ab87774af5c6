/* What GREEN_PATCH_DEBUG=1 shows. In patch_debug.c. */
#ifndef GREEN_PATCH_DEBUG_H
#define GREEN_PATCH_DEBUG_H

#include "patch_object.h"

/* Notes an object whose imports are looked at, and an import that is changed; under the loader's lock. */
void green__patch_note_object(const struct patch_object *o);
void green__patch_note_import(const struct patch_object *o, const struct patch_import *i);

/* Reports what was noted: a line for each object with what was changed in it. Under no lock. */
void green__patch_tell(void);

/* Has calls reported that hold all green threads up, each once; where GREEN_PATCH_DEBUG asks for that. */
void green__patch_watch(void);

#endif
