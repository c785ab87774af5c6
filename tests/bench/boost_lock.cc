// The peer of green_lock.c where the lock is contended: Boost.Fiber's mutex.
#include "bench.h"

#include <boost/fiber/all.hpp>

static double
contended(long times)
{
        boost::fibers::pooled_fixedsize_stack stacks;
        boost::fibers::mutex lock;
        long each = times / 2;
        auto contend = [&lock, each] {
                for (long i = 0; i < each; i++) {
                        lock.lock();
                        boost::this_fiber::yield();
                        lock.unlock();
                }
        };
        boost::fibers::fiber one(boost::fibers::launch::post, std::allocator_arg, stacks, contend);
        boost::fibers::fiber two(boost::fibers::launch::post, std::allocator_arg, stacks, contend);
        double begin = bench_now();
        one.join();
        two.join();
        return (bench_now() - begin) * 1e9 / (double)(2 * each);
}

int
main(int argc, char **argv)
{
        long times = bench_count(argc, argv, 1, 5000000);

        (void)contended(times / 10 + 2);
        bench_print("lock_handover", "ns", contended(times));
}
