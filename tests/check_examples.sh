#!/bin/sh
# The examples do what their pages say. Run in the build folder.
bad=0
test -n "$EXAMPLES" || { echo "there are no examples"; bad=1; }
for example in $EXAMPLES; do
    test -x "$example" || { echo "$example was not built"; bad=1; }
done
exit $bad
